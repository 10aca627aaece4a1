/** Judges what the nodes see of each other: who does not reach whom, and where large messages are lost. Pure. */
import { listed } from '../node-name.ts'
import type { Survey } from '../survey-message.ts'
import type { DoctorView } from './schema.ts'

/** What one node sees, by its name. */
export type View = Survey & { readonly from: string }

const NAMED_MAX = 5
/** Loopback is no network. */
const MTU_REAL_MAX = 60_000

const few = (words: readonly string[]): string =>
  words.length <= NAMED_MAX
    ? words.join('; ')
    : `${words.slice(0, NAMED_MAX).join('; ')}; and ${words.length - NAMED_MAX} more`

/** Every node of every other: also those between which this node does not stand. */
export const judgeReach = (views: readonly View[]): DoctorView => {
  const blind = views.flatMap(({ from, sights }) =>
    sights
      .filter(({ tookMs }) => tookMs === null)
      .map(({ node, why }) => `${from} does not reach ${node}${why === null ? '' : ` (${why})`}`),
  )
  if (blind.length > 0)
    return {
      check: 'reachability',
      state: 'warning',
      text: few(blind),
      try: 'let port 7701 through between those nodes, both ways',
    }
  const all = views.flatMap(({ from, sights }) => sights.map(sight => ({ from, ...sight })))
  const slowest = all.reduce<(typeof all)[number] | null>(
    (worst, one) => ((one.tookMs ?? 0) > (worst?.tookMs ?? -1) ? one : worst),
    null,
  )
  const text =
    slowest === null
      ? 'no other node to reach'
      : `all ${all.length} ways are open; the slowest is from ${slowest.from} to ${slowest.node}, ${slowest.tookMs} ms there and back`
  return { check: 'reachability', state: 'ok', text, try: null }
}

/** A large message that is lost where a small one passes is the mark of a path that takes smaller packets than its ends think. */
export const judgeMtu = (views: readonly View[]): DoctorView => {
  const lost = views.flatMap(({ from, sights }) =>
    sights.filter(({ passesLarge }) => passesLarge === false).map(({ node }) => `from ${from} to ${node}`),
  )
  if (lost.length > 0)
    return {
      check: 'mtu',
      state: 'failure',
      text: `small messages pass and large ones are lost ${few(lost)}`,
      try: 'ip link set dev INTERFACE mtu 1400 on both ends, or let ICMP "fragmentation needed" through',
    }
  const real = views.filter(({ mtu }) => mtu !== null && mtu < MTU_REAL_MAX)
  const sizes = new Set(real.map(({ mtu }) => mtu))
  if (sizes.size > 1) {
    const each = [...sizes]
      .sort((left, right) => Number(left) - Number(right))
      .map(size => `${listed(real.filter(({ mtu }) => mtu === size).map(({ from }) => from))} ${size}`)
    return {
      check: 'mtu',
      state: 'warning',
      text: `the nodes send packets of different sizes (${each.join(', ')}); large messages pass all the same`,
      try: 'give the interfaces of one network the same MTU: ip link set dev INTERFACE mtu SIZE',
    }
  }
  const [size] = sizes
  const text = `large messages pass everywhere${size === undefined ? '' : `; packets of up to ${size} bytes`}`
  return { check: 'mtu', state: 'ok', text, try: null }
}
