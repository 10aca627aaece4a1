/** How long the work of a zone that is lost as a whole waits for it: the one place where that is set. */
import { mayUse, ZONE_LOSS_MS_MAX, zoneLossMsOf } from '../../../scheduler/index.ts'
import { Failure } from '../../errors.ts'
import type { Handler } from '../dialect.ts'
import { fieldsOf } from '../request.ts'
import { type NativeDeps, stateToChange, submit, written } from './write.ts'

export const setZoneLoss =
  (deps: NativeDeps): Handler =>
  async request => {
    const { waitMs } = await fieldsOf(request, ['waitMs'])
    if (waitMs !== null && !isWait(waitMs))
      throw new Failure(
        'E_INVALID',
        {
          message: 'waitMs must be a number of milliseconds up to a day, or null',
          why: 'null: the work waits until the zone is back, however long that takes',
          try: 'tutti zone-loss 30s · tutti zone-loss never',
        },
        { facts: { field: 'waitMs' } },
      )
    const state = await stateToChange(deps.gateway, request)
    if (!mayUse(state, 'zoneLoss'))
      throw new Failure('E_VERSION', {
        message: 'not every member understands this setting yet',
        why: 'some run the version before, and would not know what to make of it',
        try: 'upgrade them or remove them: tutti nodes -o wide',
      })
    const changed = zoneLossMsOf(state.cluster) !== waitMs
    const index = await submit(deps, request, { type: 'cluster/SetZoneLoss', waitMs })
    const what =
      waitMs === null
        ? 'the work of a zone that is lost as a whole waits until it is back'
        : `the work of a zone that is lost as a whole moves after ${waitMs / 1_000} s`
    return written({ index, changed, message: changed ? what : `${what}, as before` })
  }

const isWait = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= ZONE_LOSS_MS_MAX
