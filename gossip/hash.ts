/** Hashes that every node computes alike. They protect against nothing: whoever wants two equal ones finds them. */

/** FNV-1a, 32 bits. */
export const hashOfText = (text: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}

/** Spreads each bit over all others, so that like inputs have nothing in common. */
export const mixed = (hash: number): number => {
  let bits = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad)
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97)
  return (bits ^ (bits >>> 15)) >>> 0
}
