import { Inject, Injectable } from '@nestjs/common';
import { UnprocessableFields } from '../../common/errors.js';
import { CONFIG, type Config } from '../../config/config.js';
import { faultsOf, type PasswordOwner } from './password-rules.js';

/** Which passwords may be chosen: length, complexity if asked for, none that is common or made of its owner's name. */
@Injectable()
export class PasswordPolicy {
  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** Throws `UnprocessableFields` with everything to change, under the name of the request's field. */
  require(password: string, owner: PasswordOwner, field = 'password'): void {
    const faults = this.faultsOf(password, owner);
    if (faults.length > 0) throw new UnprocessableFields({ fieldErrors: { [field]: faults } });
  }

  /** A sentence for each thing to change. */
  faultsOf(password: string, owner: PasswordOwner): string[] {
    const { auth, mail } = this.config;
    return faultsOf(password, owner, {
      minLength: auth.minPasswordLength,
      requireComplexity: auth.requireComplexPasswords,
      companyName: mail.companyName,
    });
  }
}
