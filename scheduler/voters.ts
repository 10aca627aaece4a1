/** How many nodes may vote at most. Odd: an even number bears no more losses than the odd one below it. */
export const VOTERS_MAX_CHOICES: readonly number[] = [3, 5, 7]

/** What holds until somebody says otherwise: two nodes may be lost at once, and a write waits for three disks. */
export const VOTERS_MAX_DEFAULT = 5
