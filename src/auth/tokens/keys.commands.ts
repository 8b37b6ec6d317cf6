import { Clock } from '../../common/clock.js';
import { type Command, UsageError } from '../../common/command.js';
import { CONFIG, type Config } from '../../config/config.js';
import { KeyFolder } from './key-folder.js';
import { isPublic, type PublicAlgorithm } from './signing-key.js';

/** The algorithm of the keys in the folder. Throws {@link UsageError} when the keys are kept elsewhere. */
function algorithmOf({ auth: { algorithm, privateKeys } }: Config): PublicAlgorithm {
  if (!isPublic(algorithm))
    throw new UsageError(
      `ALGORITHM is ${algorithm}: put the old SECRET_KEY into SECRET_KEY_PREVIOUS and set a new one, or set ALGORITHM to RS256 or ES256 first`,
    );
  if (privateKeys.length > 0)
    throw new UsageError('JWT_PRIVATE_KEYS names the keys: put a new one first in its list, and restart');
  return algorithm;
}

/** Care for the keys of access tokens. */
export const KEY_COMMANDS: readonly Command[] = [
  {
    name: 'keys:rotate',
    changes: true,
    doc: 'Makes a key that signs access tokens (RS256, ES256) under DATA_DIR/keys. The one before it goes on verifying.',
    options: {
      retire: { type: 'boolean', doc: 'make none; remove the keys whose tokens have all expired' },
      'at-once': { type: 'boolean', doc: 'with --retire: all but the one that signs, whose tokens are refused then' },
    },
    async run(app, options, say) {
      const algorithm = algorithmOf(app.get<Config>(CONFIG));
      const folder = app.get(KeyFolder);
      if (options['retire'] !== true) {
        if (options['at-once'] === true) throw new UsageError('--at-once goes with --retire');
        say(`${await folder.make(algorithm)} signs from now on, within ten seconds without a restart`);
      }
      const now = app.get(Clock).now();
      for (const { id, expiresAt } of await folder.findOlder()) {
        const isOver = options['at-once'] === true || expiresAt <= now;
        if (options['retire'] === true && isOver) {
          await folder.remove(id);
          say(`${id} was removed`);
        } else
          say(`${id} verifies until its last token expires at ${expiresAt.toISOString()}; then: keys:rotate --retire`);
      }
      return true;
    },
  },
];
