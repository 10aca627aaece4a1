/** The public face of gossip: a SWIM and Lifeguard core without IO. */
export type { Effects, Fact, Timer } from './effects.ts'
export type { Input } from './input.ts'
export type { Member, MemberState, NodeId } from './member.ts'
export { isMessage, isRumor, type Message, type Rumor } from './message.ts'
export { FULL_MESH_MAX } from './neighbours.ts'
export { lan, local, type Options, wan } from './options.ts'
export type { Doubt, SwimStatus } from './status.ts'
export { Swim } from './swim.ts'
