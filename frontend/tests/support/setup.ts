/** Property tests try the same examples each time. `SEED=7 npm test` tries others; a failure prints its own. */

import fc from 'fast-check'

fc.configureGlobal({ seed: Number(process.env['SEED'] ?? 1) })
