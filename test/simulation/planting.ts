/** Puts a planted bug into the program as it is loaded: the file on disk stays as it is. Call before the file is imported. */
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { PLANTS, type Plant } from './plants.ts'

const ROOT = new URL('../../', import.meta.url)

export const plantBug = (name: string): Plant => {
  const plant = PLANTS.find(candidate => candidate.name === name)
  if (plant === undefined)
    throw new Error(`there is no plant ${name}; there are: ${PLANTS.map(one => one.name).join(', ')}`)
  const target = new URL(plant.file, ROOT).href
  const source = planted(plant, readFileSync(fileURLToPath(target), 'utf8'))
  registerHooks({
    load: (url, context, nextLoad) =>
      url === target ? { format: 'module-typescript', source, shortCircuit: true } : nextLoad(url, context),
  })
  return plant
}

/** The text with the bug in it. Throws when the place to put it is not found exactly once. */
export const planted = (plant: Plant, text: string): string => {
  const parts = text.split(plant.find)
  if (parts.length !== 2)
    throw new Error(
      `${plant.name}: its place is found ${parts.length - 1} times in ${plant.file} instead of once`,
    )
  return parts.join(plant.replace)
}
