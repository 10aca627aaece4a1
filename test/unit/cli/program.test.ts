import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { VERBS } from '../../../cli/commands.ts'
import { GLOBAL_OPTIONS } from '../../../cli/global-options.ts'
import { HelpAsked, helpText, overviewText, readCall, readRequest } from '../../../cli/program.ts'
import type { Failure } from '../../../node/errors.ts'

const wordsOf = (argv: readonly string[]): readonly [string | undefined, readonly string[]] => {
  const request = readRequest(argv)
  return [request.verb?.name, request.type === 'call' ? request.words : []]
}

const refusalOf = async (argv: readonly string[]): Promise<Failure> => {
  try {
    const request = readRequest(argv)
    if (request.type === 'call') readCall(request.verb, (await request.verb.load()).command, request.words)
  } catch (thrown) {
    return thrown as Failure
  }
  throw new Error(`${argv.join(' ')} was understood`)
}

const callOf = async (argv: readonly string[]): Promise<ReturnType<typeof readCall>> => {
  const request = readRequest(argv)
  if (request.type !== 'call') throw new Error('it asks for help')
  return readCall(request.verb, (await request.verb.load()).command, request.words)
}

test('global flags may stand before and after the verb', () => {
  assert.equal(wordsOf(['-o', 'json', 'ps', 'web']), ['ps', ['-o', 'json', 'web']])
  assert.equal(wordsOf(['--ascii', 'ps', '-q']), ['ps', ['--ascii', '-q']])
  assert.equal(wordsOf(['--connect', 'unix:/x', 'token', '-q', 'ls']), [
    'token ls',
    ['--connect', 'unix:/x', '-q'],
  ])
})

test('no words, help and --version are understood', () => {
  assert.equal(readRequest([]), { type: 'help', verb: null })
  assert.equal(readRequest(['--help']), { type: 'help', verb: null })
  assert.is(readRequest(['help', 'ps']).verb?.name, 'ps')
  assert.is(readRequest(['help', 'token', 'create']).verb?.name, 'token create')
  assert.is(readRequest(['--version']).verb?.name, 'version')
})

test('a mistyped verb, subcommand or flag is guessed', async () => {
  assert.match((await refusalOf(['scael', 'web=5'])).why ?? '', /did you mean "scale"/)
  assert.match((await refusalOf(['token'])).message, /needs one of: create, ls, revoke/)
  assert.match((await refusalOf(['token', 'creat'])).message, /needs one of/)
  const flag = await refusalOf(['ps', '--wach'])
  assert.match(flag.message, /unknown option '--wach'/)
  assert.match(flag.why ?? '', /--watch/)
  assert.is(flag.code, 'E_USAGE')
})

test('missing and excess words and wrong choices are refused', async () => {
  assert.match((await refusalOf(['scale'])).message, /missing required argument/)
  assert.match((await refusalOf(['nodes', '-o', 'xml'])).message, /Allowed choices are table, wide/)
  assert.match((await refusalOf(['status', 'web'])).message, /too many arguments/)
  assert.match((await refusalOf(['ps', '-o'])).message, /argument missing/)
})

test('words after -- belong to run untouched, flags and all', async () => {
  const call = await callOf(['run', '--name', 'web', 'nginx', '--', '-x', '--help', '--'])
  assert.equal(call.args, ['nginx'])
  assert.equal(call.rest, ['-x', '--help', '--'])
  assert.is(call.flags.text('name'), 'web')
  assert.is((await callOf(['run', '--name', 'web', 'nginx'])).rest, null)
})

test('repeatable flags add up, and pairs and numbers are checked', async () => {
  const { flags } = await callOf(['run', '--name', 'w', '-e', 'A=1', '-e', 'B=x=y', '--count', 'x', 'img'])
  assert.equal(flags.pairs('env'), { A: '1', B: 'x=y' })
  assert.throws(
    () => flags.whole('count'),
    (thrown: Failure) => /--count must be a whole number/.test(thrown.message),
  )
  const wrong = (await callOf(['run', '-e', 'A', 'img'])).flags
  assert.throws(
    () => wrong.pairs('env'),
    (thrown: Failure) => thrown.code === 'E_USAGE',
  )
})

test('every verb loads, has help with its examples, and clashes with no global flag', async () => {
  for (const verb of VERBS) {
    const { command } = await verb.load()
    const text = helpText(verb, command)
    assert.match(text, new RegExp(`Usage: tutti ${verb.name}`), verb.name)
    assert.ok(command.examples.length > 0, `${verb.name} has an example`)
    const names = [...command.options, ...GLOBAL_OPTIONS].flatMap(
      option => option.flags.match(/(?<=^|, )--?[\w-]+/g) ?? [],
    )
    assert.is(new Set(names).size, names.length, `${verb.name}: ${names.join(' ')}`)
    assert.throws(
      () => readCall(verb, command, ['--help']),
      (thrown: Error) => thrown instanceof HelpAsked,
    )
    assert.match(overviewText(), new RegExp(`^ {2}${verb.name} +${verb.summary.slice(0, 10)}`, 'm'))
  }
})

test.run()
