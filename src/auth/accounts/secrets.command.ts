import { randomBytes } from 'node:crypto';
import type { LoneCommand } from '../../common/command.js';
import { randomPassword } from '../passwords/random-password.js';

/** Fresh values for the secret settings. Nothing is stored anywhere. */
export const SECRETS: LoneCommand = {
  name: 'secrets',
  doc: 'Prints fresh secrets as lines for a new .env. Do not replace FILE_ENCRYPTION_KEYS of an installation: put a new key before it.',
  options: {},
  runAlone(_options, say) {
    say(`SECRET_KEY=${randomBytes(48).toString('base64url')}`);
    say(`ADMIN_PASSWORD=${randomPassword(0)}`);
    say(`POSTGRES_PASSWORD=${randomBytes(24).toString('hex')}`);
    say(`FILE_ENCRYPTION_KEYS=key-${randomBytes(4).toString('hex')}:${randomBytes(32).toString('base64')}`);
    say(`ALERT_WEBHOOK_SECRET=whsec_${randomBytes(32).toString('base64')}`);
    return true;
  },
};
