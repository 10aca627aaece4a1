/** The style guide as a test: the dependency rule, file sizes, names, and a README that tells the truth. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ROOMS, RULES, type Rule } from './dependency-rule.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const TOP_LEVEL = [
  'package.json',
  'tsconfig.json',
  'README.md',
  'LICENSE',
  'package-lock.json',
  'biome.json',
  'knip.json',
  'node_modules',
  ...ROOMS,
]
const LINES_MAX = 400
const FILES_PER_FOLDER_MAX = 30

/** These may not be named in a core nor in an actor: time and dice are injected. */
const AMBIENT =
  /\b(Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|performance\.now|process\.(env|hrtime|argv|exit)|fetch\(|console\.)/

const sourcesBelow = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sourcesBelow(path)
    return /\.(ts|mjs)$/.test(entry.name) ? [path] : []
  })

const FILES = ROOMS.flatMap(sourcesBelow)
const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')

const importsOf = (file: string): string[] =>
  [
    ...withoutComments(textOf(file)).matchAll(
      /(?:^|[\s;])(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|(?:^|[\s;])import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|new URL\(\s*['"](\.[^'"]+\.ts)['"]/gm,
    ),
  ].map(match => (match[1] ?? match[2] ?? match[3] ?? match[4]) as string)

const ruleFor = (file: string): Rule | undefined =>
  RULES.filter(rule => file.startsWith(rule.from)).sort((a, b) => b.from.length - a.from.length)[0]

/** Null when allowed, else the offence in words. */
const offence = (file: string, specifier: string, rule: Rule): string | null => {
  const tell = (what: string) => `${file} imports ${specifier}: ${what} (${rule.why})`
  if (specifier.startsWith('.')) {
    const target = normalize(join(dirname(file), specifier))
    const home = rule.from.endsWith('/') ? rule.from : `${dirname(rule.from)}/`
    if (target.startsWith('test/') && !file.startsWith('test/')) return tell('nothing imports test/')
    if (target.startsWith(home))
      return isStrangerDialect(file, target) ? tell('a dialect knows no other dialect') : null
    return rule.may.some(prefix => target.startsWith(prefix))
      ? null
      : tell('not allowed by the dependency rule')
  }
  const bare = specifier.replace(/^node:/, '')
  if (specifier.startsWith('node:') || builtinModules.includes(bare)) {
    if (!specifier.startsWith('node:')) return tell('write the node: prefix')
    return rule.node === 'all' || bare === 'assert' ? null : tell('only node:assert here')
  }
  const isAllowed = rule.npm.some(
    name =>
      name === '*' || specifier === name || specifier.startsWith(name.endsWith('/') ? name : `${name}/`),
  )
  return isAllowed ? null : tell('this package is at home elsewhere')
}

const isStrangerDialect = (file: string, target: string): boolean => {
  const dialectOf = (path: string) => /^node\/api\/([^/]+)\//.exec(path)?.[1]
  const [own, other] = [dialectOf(file), dialectOf(target)]
  return own !== undefined && other !== undefined && own !== other
}

test('the walk finds the project', () => {
  assert.ok(FILES.length > 50, `only ${FILES.length} files were found`)
  for (const room of ROOMS)
    assert.ok(
      FILES.some(file => file.startsWith(`${room}/`)),
      `no source below ${room}/`,
    )
})

test('the top level is fixed', () => {
  const strangers = readdirSync(ROOT).filter(name => !name.startsWith('.') && !TOP_LEVEL.includes(name))
  assert.equal(strangers, [])
})

test('every import keeps the dependency rule', () => {
  const offences = FILES.flatMap(file => {
    const rule = ruleFor(file)
    if (rule === undefined) return [`${file}: no rule covers this file`]
    return importsOf(file)
      .map(specifier => offence(file, specifier, rule))
      .filter(found => found !== null)
  })
  assert.equal(offences, [])
})

test('the rule catches planted offences', () => {
  const core = ruleFor('raft/raft.ts') as Rule
  assert.match(offence('raft/raft.ts', 'node:fs', core) ?? '', /only node:assert/)
  assert.match(offence('raft/raft.ts', '../gossip/index.ts', core) ?? '', /not allowed/)
  assert.match(offence('raft/raft.ts', '../node/clock.ts', core) ?? '', /not allowed/)
  assert.match(
    offence('node/agent/pod.actor.ts', 'dockerode', ruleFor('node/agent/pod.actor.ts') as Rule) ?? '',
    /at home elsewhere/,
  )
  assert.match(
    offence(
      'node/agent/agent.actor.ts',
      '../../scheduler/apply.ts',
      ruleFor('node/agent/agent.actor.ts') as Rule,
    ) ?? '',
    /not allowed/,
  )
  assert.match(offence('cli/main.ts', '../node/main.ts', ruleFor('cli/main.ts') as Rule) ?? '', /not allowed/)
  assert.is(offence('raft/raft.ts', './log.ts', core), null)
})

test('there are no import cycles', () => {
  const graph = new Map(
    FILES.map(file => [
      file,
      importsOf(file)
        .filter(s => s.startsWith('.'))
        .map(s => normalize(join(dirname(file), s))),
    ]),
  )
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) return void cycles.push([...path.slice(path.indexOf(file)), file].join(' → '))
    if (done.has(file)) return
    for (const next of graph.get(file) ?? []) visit(next, [...path, file])
    done.add(file)
  }
  for (const file of FILES) visit(file, [])
  assert.equal(cycles, [])
})

test('cores and actors use no ambient time, dice or IO', () => {
  const offences = FILES.filter(
    file => /^(raft|gossip|scheduler)\//.test(file) || file.endsWith('.actor.ts'),
  ).flatMap(file => {
    const found = AMBIENT.exec(withoutComments(textOf(file)))
    return found === null ? [] : [`${file}: ${found[1]}`]
  })
  assert.equal(offences, [])
})

test(`no file is over ${LINES_MAX} lines, no folder over ${FILES_PER_FOLDER_MAX} files`, () => {
  const long = FILES.filter(file => textOf(file).split('\n').length > LINES_MAX + 1)
  assert.equal(long, [])
  const perFolder = Map.groupBy(FILES, file => dirname(file))
  assert.equal(
    [...perFolder].filter(([, files]) => files.length > FILES_PER_FOLDER_MAX).map(([folder]) => folder),
    [],
  )
})

test('paths are kebab-case and say what they hold', () => {
  const vague = /(^|\/)(util|utils|helper|helpers|common|types|lib|shared|misc|manager)(\/|\.ts$|$)/
  assert.equal(
    FILES.filter(file => vague.test(file)),
    [],
  )
  assert.equal(
    FILES.filter(
      file => !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*\.(ts|mjs)$/.test(file.split('/').at(-1) as string),
    ),
    [],
  )
  assert.equal(
    FILES.filter(file => file.endsWith('/index.ts') && !/^(raft|gossip|scheduler)\/index\.ts$/.test(file)),
    [],
  )
})

test('every source file starts with a sentence about itself', () => {
  const silent = FILES.filter(
    file => !file.endsWith('.test.ts') && !/^(#!.*\n)?\s*(\/\*\*|\/\/)/.test(textOf(file)),
  )
  assert.equal(silent, [])
})

test('every test file runs its tests, and none is skipped or singled out', () => {
  const tests = FILES.filter(file => file.endsWith('.test.ts'))
  assert.equal(
    tests.filter(file => !/\.run\(\)\s*$/.test(textOf(file).trimEnd())),
    [],
  )
  assert.equal(
    tests.filter(file => /\b\w+\.(skip|only)\(\s*['"`]/.test(withoutComments(textOf(file)))),
    [],
  )
})

test('nothing unfinished is left in the code', () => {
  const marks = new RegExp(
    ['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', '@ts-' + 'ignore', '@ts-expect-' + 'error'].join('|'),
  )
  assert.equal(
    FILES.filter(file => marks.test(textOf(file))),
    [],
  )
})

test('what the README and the room READMEs name exists', () => {
  const scripts = Object.keys(
    (JSON.parse(textOf('package.json')) as { scripts: Record<string, string> }).scripts,
  )
  const readmes = ['README.md', ...ROOMS.flatMap(room => readmesBelow(room))]
  const missing = readmes.flatMap(readme => {
    const text = textOf(readme)
    const named = [...text.matchAll(/npm run ([a-z:-]+)/g)].map(match => match[1] as string)
    const paths = [...text.matchAll(/`((?:\.\/)?(?:raft|gossip|scheduler|node|cli|test)\/[\w./-]*)`/g)].map(
      match => match[1] as string,
    )
    return [
      ...named.filter(name => !scripts.includes(name)).map(name => `${readme}: npm run ${name}`),
      ...paths.filter(path => !existsSync(join(ROOT, path))).map(path => `${readme}: ${path}`),
    ]
  })
  assert.equal(missing, [])
})

const readmesBelow = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('README.md'))
    .map(name => relative(ROOT, join(ROOT, folder, name)))

test('dependencies are pinned exactly, and the launcher is executable', () => {
  const manifest = JSON.parse(textOf('package.json')) as Record<string, Record<string, string>>
  const loose = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap(kind =>
    Object.entries(manifest[kind] ?? {})
      .filter(([, version]) => !/^\d/.test(version))
      .map(([name]) => name),
  )
  assert.equal(loose, [])
  assert.ok((statSync(join(ROOT, 'cli/bin.mjs')).mode & 0o111) !== 0, 'cli/bin.mjs is executable')
})

test.run()
