/**
 * Rows of a bench as an SVG, over the number of clients or members, both axes logarithmic: what does not grow is a level
 * line. A row with a loss in its name is drawn dashed.
 */
import type { Row } from './row.ts'

const WIDTH = 720
const HEIGHT = 420
const MARGIN = { left: 70, right: 250, top: 30, bottom: 50 }
const COLORS = ['#1b6ca8', '#c0392b', '#27864a', '#8e44ad', '#b7791f', '#2c3e50']

type Scale = (value: number) => number

const decades = (values: readonly number[]): readonly number[] => {
  const first = Math.floor(Math.log10(Math.min(...values)))
  const last = Math.ceil(Math.log10(Math.max(...values)))
  return Array.from({ length: last - first + 1 }, (_, step) => 10 ** (first + step))
}

const logScale = (ticks: readonly number[], from: number, to: number): Scale => {
  const [low, high] = [Math.log10(ticks[0] as number), Math.log10(ticks.at(-1) as number)]
  return value => from + ((Math.log10(value) - low) / Math.max(1e-9, high - low)) * (to - from)
}

const text = (x: number, y: number, words: string, more = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`

export const plot = (all: readonly Row[]): string => {
  const rows = all.filter(({ ours }) => Number.isFinite(ours) && ours > 0)
  const names = [...new Set(rows.map(({ name }) => name))]
  const across = [...new Set(rows.map(({ clients }) => clients))].sort((a, b) => a - b)
  const up = decades(rows.map(({ ours }) => ours))
  const x = logScale(across, MARGIN.left, WIDTH - MARGIN.right)
  const y = logScale(up, HEIGHT - MARGIN.bottom, MARGIN.top)
  const grid = up.map(
    tick =>
      `<path d="M${MARGIN.left} ${y(tick)}H${WIDTH - MARGIN.right}" stroke="#ddd"/>${text(MARGIN.left - 8, y(tick) + 4, String(tick), 'text-anchor="end"')}`,
  )
  const feet = across.map(size =>
    text(x(size), HEIGHT - MARGIN.bottom + 20, String(size), 'text-anchor="middle"'),
  )
  const lines = names.map((name, position) => {
    const color = COLORS[position % COLORS.length] as string
    const points = rows.filter(row => row.name === name).map(row => [x(row.clients), y(row.ours)] as const)
    const path = points.map(([px, py], step) => `${step === 0 ? 'M' : 'L'}${px.toFixed(1)} ${py.toFixed(1)}`)
    const dots = points.map(
      ([px, py]) => `<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="3" fill="${color}"/>`,
    )
    const label = text(WIDTH - MARGIN.right + 16, MARGIN.top + 20 * (position + 1), name, `fill="${color}"`)
    return `<path d="${path.join('')}" fill="none" stroke="${color}" stroke-width="2"${name.includes('lost') ? ' stroke-dasharray="6 4"' : ''}/>${dots.join('')}${label}`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    ...grid,
    ...feet,
    text((MARGIN.left + WIDTH - MARGIN.right) / 2, HEIGHT - 10, 'members', 'text-anchor="middle"'),
    ...lines,
    '</svg>',
    '',
  ].join('\n')
}
