import { Injectable } from '@nestjs/common';
import { SealedValues } from '../common/sealed-values.js';
import { secretsOf } from './mail-catalogue.js';
import type { MailData, MailMessage } from './mail-message.entity.js';

/** What a preview shows in a secret's place. */
const CONCEALED = '[only in the mail itself]';

const purposeOf = (messageId: string, name: string): string => `mail ${messageId} ${name}`;

/** Keeps the secret values of messages apart from the others: nobody reads them who only reads the database. */
@Injectable()
export class MailSecrets {
  constructor(private readonly seals: SealedValues) {}

  /** Seals the values that only the recipient of a new message may read. */
  async seal(message: MailMessage): Promise<void> {
    const names = secretsOf(message.template);
    const sealed = names.map(async (name) => {
      const value = message.data[name] ?? '';
      return [name, await this.seals.seal(purposeOf(message.id, name), value)] as const;
    });
    message.secrets = Object.fromEntries(await Promise.all(sealed));
    message.data = Object.fromEntries(Object.entries(message.data).filter(([name]) => !names.includes(name)));
  }

  /** All values of a message, for its recipient alone. Throws `SealBroken`. */
  async open({ id, data, secrets }: MailMessage): Promise<MailData> {
    if (secrets === null) return data;
    const sealed = Object.entries(secrets);
    const opened = sealed.map(async ([name, value]) => {
      return [name, await this.seals.open(purposeOf(id, name), value)] as const;
    });
    return { ...data, ...Object.fromEntries(await Promise.all(opened)) };
  }

  /** The values of a message for everybody else. */
  conceal({ template, data }: MailMessage): MailData {
    return { ...data, ...Object.fromEntries(secretsOf(template).map((name) => [name, CONCEALED])) };
  }
}
