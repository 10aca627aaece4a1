/** The wire and disk encoding: msgpack without records or extensions, inside size limits. The one home of msgpackr. */
import { Packr } from 'msgpackr'
import { Failure } from './errors.ts'
import { decodePlain } from './plain-decoder.ts'

/** No frame between nodes is larger; what may be larger is cut into chunks. */
export const FRAME_BYTES_MAX = 4 * 1024 * 1024

const packr = new Packr({
  useRecords: false,
  variableMapSize: true,
  mapsAsObjects: true,
  int64AsType: 'number',
})

/** Plain data only: no Map, Set, class instance or undefined that must survive. */
export const encode = (value: unknown): Uint8Array => packr.pack(value)

/**
 * Throws `E_INVALID` for bytes that are no msgpack. The result is untrusted: check its shape. Bytes in it are parts of
 * those given, and keep all of them alive.
 */
export const decode = (bytes: Uint8Array): unknown => {
  const plain = decodePlain(bytes)
  if (plain !== null) return plain.value
  try {
    return packr.unpack(bytes)
  } catch (cause) {
    throw new Failure('E_INVALID', 'the bytes are not a valid message', { cause })
  }
}
