/** A two-way sequence of frames between two nodes, as calls need it; a libp2p stream or a pair of arrays in memory. */

export type PipeSink = {
  onFrame(payload: Uint8Array): void
  /** After `send` said false: there is room again. */
  onDrain(): void
  /** Once: no frame comes any more, because the other side ended, broke off or went away. */
  onClose(): void
}

export type Pipe = {
  /** Queues a frame. False: stop until `onDrain`. Does nothing once the pipe is closed. */
  send(payload: Uint8Array): boolean
  /** Nothing more from this side; what is queued still travels. */
  end(): void
  /** Ends both directions at once; the other side sees a close. */
  abort(): void
  /** No frames to the sink until `resume`; the other side is slowed down in bounded memory. */
  pause(): void
  resume(): void
  /** Starts the flow; called once, by the one who uses the pipe. */
  attach(sink: PipeSink): void
}
