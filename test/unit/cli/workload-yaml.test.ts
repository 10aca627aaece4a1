import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readWorkloads } from '../../../cli/workload-yaml.ts'
import { Failure } from '../../../node/errors.ts'

const refusalOf = (text: string): string => {
  try {
    readWorkloads(text, 'web.yaml')
  } catch (thrown) {
    assert.instance(thrown, Failure)
    return (thrown as Failure).message
  }
  throw new Error('it was not refused')
}

const GOOD = 'name: web\npod:\n  containers:\n    - image: nginx\n'

test('several documents are several workloads, empty ones are none', () => {
  const found = readWorkloads(`${GOOD}---\n---\n${GOOD.replace('web', 'api')}`, 'web.yaml')
  assert.equal(
    found.map(each => each.name),
    ['web', 'api'],
  )
})

test('JSON is YAML', () => {
  assert.is(
    readWorkloads('{"name":"web","pod":{"containers":[{"image":"nginx"}]}}', 'x.json')[0]?.name,
    'web',
  )
})

test('an unknown field is told with line, column and a guess', () => {
  const text = 'name: web\npod:\n  containers:\n    - image: nginx\n      commnd: [a]\n'
  assert.match(
    refusalOf(text),
    /web\.yaml:5:7 {2}pod\.containers\[0\]\.commnd: is not a known field — did you mean "command"\?/,
  )
})

test('a wrong value is told where the value stands', () => {
  assert.match(
    refusalOf(`${GOOD}count: lots\n`),
    /web\.yaml:5:8 {2}count: must be a whole number from 0 to 100000, got "lots"/,
  )
})

test('a missing field is told where it is missing', () => {
  assert.match(refusalOf('name: web\n'), /web\.yaml:1:1 {2}pod: is missing/)
})

test('the second document has lines of the file, not of its own', () => {
  assert.match(refusalOf(`${GOOD}---\n${GOOD}count: lots\n`), /web\.yaml:10:8 {2}count/)
})

test('broken YAML, keys said twice and alias bombs are refused', () => {
  assert.match(refusalOf('name: [web\n'), /web\.yaml:\d+:\d+ /)
  assert.match(refusalOf(`${GOOD}name: api\n`), /web\.yaml:5:1 {2}Map keys must be unique/)
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]']
  for (let at = 0; at < 8; at++) {
    const [from, to] = [String.fromCharCode(97 + at), String.fromCharCode(98 + at)]
    bomb.push(`${to}: &${to} [${Array(9).fill(`*${from}`).join(',')}]`)
  }
  assert.match(refusalOf(bomb.join('\n')), /alias/i)
})

test('an empty file and one that is too large are refused', () => {
  assert.match(refusalOf('# nothing\n'), /holds no workload/)
  assert.match(refusalOf(`# ${'x'.repeat(1024 * 1024)}`), /larger than/)
})

test.run()
