/** Calls about one container wait for each other; costly ones also for a free place among all. */

export type Turns = {
  inTurn<T>(key: string, act: () => Promise<T>): Promise<T>
  /** In turn for its key, and with at most `concurrencyMax` such acts at the same time. */
  limited<T>(key: string, act: () => Promise<T>): Promise<T>
}

export const createTurns = ({ concurrencyMax }: { readonly concurrencyMax: number }): Turns => {
  const queues = new Map<string, Promise<void>>()
  const waiting: (() => void)[] = []
  let places = concurrencyMax

  const inTurn = <T>(key: string, act: () => Promise<T>): Promise<T> => {
    const result = (queues.get(key) ?? Promise.resolve()).then(act)
    const settled = result.then(
      () => undefined,
      () => undefined,
    )
    queues.set(key, settled)
    void settled.then(() => queues.get(key) === settled && queues.delete(key))
    return result
  }

  const take = (): Promise<void> => {
    if (places === 0) return new Promise(done => waiting.push(done))
    places--
    return Promise.resolve()
  }

  const give = (): void => {
    const next = waiting.shift()
    if (next === undefined) places++
    else next()
  }

  const limited = <T>(key: string, act: () => Promise<T>): Promise<T> =>
    inTurn(key, async () => {
      await take()
      try {
        return await act()
      } finally {
        give()
      }
    })

  return { inTurn, limited }
}
