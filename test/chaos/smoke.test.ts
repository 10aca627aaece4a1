import { suite } from 'uvu'
import { prng } from '../harness/prng.ts'
import { LabCluster } from './cluster.ts'
import { allAddressesChange, allNodesDie } from './scenarios/blackout.ts'
import { killRounds, runTen } from './scenarios/killing.ts'
import { leaderIsCutOff } from './scenarios/partition.ts'
import { engineDies, imageIsMissing } from './scenarios/refusals.ts'
import { seedDies } from './scenarios/seed.ts'

/** The scenarios build on one another: each starts from the cluster that the one before has left whole. */
const test = suite<{ cluster: LabCluster }>('chaos')

test.before(async context => {
  context.cluster = await LabCluster.found(5)
})

test.after(async context => {
  await context.cluster?.close()
})

test('ten containers run, spread evenly over five hosts', ({ cluster }) => runTen(cluster))

test('machines die, the leader too, and the work moves', async ({ cluster }) => {
  await killRounds(cluster, 3, prng(7))
})

test('a minority refuses writes and keeps its containers, and healing leaves no duplicate', ({ cluster }) =>
  leaderIsCutOff(cluster))

test('a missing image gives its reason and harms nobody', ({ cluster }) => imageIsMissing(cluster))

test('an engine that hangs is named, and taken up again', ({ cluster }) => engineDies(cluster))

test('all nodes die at once and adopt their containers', ({ cluster }) => allNodesDie(cluster))

test('all nodes come back with new addresses and form the cluster again', ({ cluster }) =>
  allAddressesChange(cluster))

test('the seed dies, nobody needs it, and a sixth host joins through another', ({ cluster }) =>
  seedDies(cluster))

test.run()
