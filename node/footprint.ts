/**
 * The memory of a node at rest. Loading the program costs more than running it: the compiler that strips types, the
 * garbage of some eight hundred modules, and the room that V8 made for it.
 */
import module from 'node:module'
import { dirname } from 'node:path'

/**
 * The environment of a worker thread. It does not find what Node keeps on disk of this program, compiled and without its
 * types, unless it is told where; it would load the compiler, which takes twenty megabytes for as long as the thread lives.
 */
export const workerEnvironment = (): Record<string, string> => {
  const directory = module.getCompileCacheDir()
  // What Node tells is a folder for its own version in the one that it was given.
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: dirname(directory) }
}

/**
 * To be called in each thread when all is loaded and nobody waits for it yet, for it stands still for a moment. Afterwards
 * V8 takes the room again that it needs. Does nothing where the program was not started by `cli/bin.mjs`.
 */
export const dropStartGarbage = (): void => {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}

/** Writes what this thread has compiled so far. Left to its end, a node that is killed would compile everything each time. */
export const keepCompiled = (): void => module.flushCompileCache()
