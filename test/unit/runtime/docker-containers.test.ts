import type { ContainerInfo } from 'dockerode'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { addressIn, createOptions, keyOfLabels, nameOf } from '../../../node/runtime/docker-containers.ts'
import type { ContainerRun } from '../../../node/runtime/runtime.ts'
import { containerSpec } from '../../harness/agent-world.ts'

const able = { limitsCpu: true, limitsMemory: true, limitsPids: true }

const port = { name: 'http', owner: 'main', container: 80, host: 20_001, protocol: 'tcp' } as const
const told = { name: 'admin-ui', owner: 'main', container: 0, host: 20_002, protocol: 'tcp' } as const

const run: ContainerRun = {
  key: { cluster: 'c1', node: 'n1', pod: '0123456789abcdef', podName: 'web.2', container: 'main' },
  spec: containerSpec({ image: 'nginx:1', command: [], env: { A: 'b' }, ports: [] }),
  ports: [port, told],
  address: '127.0.0.2',
  pod: { firstContainer: 'main', ports: [port, told] },
  env: { TUTTI_NODE: 'ash' },
}

const side: ContainerRun = {
  ...run,
  key: { ...run.key, container: 'side' },
  spec: containerSpec({ name: 'side' }),
  ports: [],
}

test('names say the pod, and all but the first container say themselves', () => {
  assert.is(nameOf(run), 'tutti-web.2-01234567')
  assert.is(nameOf(side), 'tutti-web.2-01234567-side')
})

test('ports are published on the node’s address, and PORT is what the container listens on', () => {
  const options = createOptions(run, able, null)
  assert.equal(options.HostConfig?.PortBindings, {
    '80/tcp': [{ HostIp: '127.0.0.2', HostPort: '20001' }],
    '20002/tcp': [{ HostIp: '127.0.0.2', HostPort: '20002' }],
  })
  assert.ok(options.Env?.includes('PORT=80'))
  assert.ok(options.Env?.includes('PORT_HTTP=80'))
  assert.ok(options.Env?.includes('PORT_ADMIN_UI=20002'))
})

test('the image’s own command stands where none is given', () => {
  assert.not.ok('Cmd' in createOptions(run, able, null))
  assert.equal(createOptions(side, able, null).Cmd, ['serve'])
})

test('later containers join the first one’s network and publish nothing', () => {
  const options = createOptions(side, able, 'abc')
  assert.is(options.HostConfig?.NetworkMode, 'container:abc')
  assert.not.ok('ExposedPorts' in options)
  assert.not.ok('PortBindings' in (options.HostConfig ?? {}))
})

test('limits are asked for only where the engine has them and something was reserved', () => {
  const spec = containerSpec({ image: 'nginx:1', resources: { cpuMillis: 250, memoryBytes: 100_000_000 } })
  const limited = createOptions({ ...run, spec }, able, null).HostConfig
  assert.is(limited?.NanoCpus, 250_000_000)
  assert.is(limited?.Memory, 100_000_000)
  assert.is(limited?.MemorySwap, 100_000_000)
  const unable = { limitsCpu: false, limitsMemory: false, limitsPids: false }
  const free = createOptions({ ...run, spec }, unable, null).HostConfig ?? {}
  for (const name of ['NanoCpus', 'Memory', 'MemorySwap', 'PidsLimit']) assert.not.ok(name in free)
  assert.not.ok('Memory' in (createOptions(run, able, null).HostConfig ?? {}))
})

test('labels lead back to the key, and strangers have none', () => {
  assert.equal(keyOfLabels(createOptions(run, able, null).Labels ?? {}), run.key)
  assert.is(keyOfLabels({ 'tutti.cluster': 'c1', 'tutti.node': 'n1' }), null)
})

test('a container in a shared network has the address of its first', () => {
  const info = (Id: string, NetworkMode: string, IPAddress: string) =>
    ({
      Id,
      HostConfig: { NetworkMode },
      NetworkSettings: { Networks: { bridge: { IPAddress } } },
    }) as unknown as ContainerInfo
  const first = info('a', 'default', '172.17.0.2')
  const second = info('b', 'container:a', '')
  assert.is(addressIn([first, second], second), '172.17.0.2')
  assert.is(addressIn([first, second], first), '172.17.0.2')
  assert.is(addressIn([second], second), '')
})

test.run()
