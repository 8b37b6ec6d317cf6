import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor.js';
import { Clock } from '../../common/clock.js';
import { type User, UsersService } from '../../users/users.service.js';
import { Forbidden, InvalidToken, ReauthenticationRequired, WrongPassword } from '../auth.errors.js';
import { SignInLocks } from '../locks/sign-in-locks.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { SessionsService } from '../sessions/sessions.service.js';

/** How long after a sign-in nobody is asked again. */
export const FRESH_FOR_MS = 10 * 60_000;

/**
 * Asks somebody who is signed in to prove it again before something that would outlast a stolen session (ASVS 5.0, 7.5.1): by the
 * current password, or by a sign-in of the last ten minutes, because not everybody has a password.
 */
@Injectable()
export class Reauthentication {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly hasher: PasswordHasher,
    private readonly locks: SignInLocks,
    private readonly clock: Clock,
  ) {}

  /**
   * The account as it was when it was proved. Throws `ReauthenticationRequired`, `WrongPassword` (counted like a failed sign-in), or
   * `SignInBusy`; `Forbidden` for a program, whatever it knows.
   */
  async require(actor: Actor, password: string | undefined): Promise<User> {
    if (actor.kind !== 'user') throw new InvalidToken();
    if (actor.apiKeyId !== undefined) throw new Forbidden();
    const user = await this.users.get(actor.id);
    if (password === undefined) await this.requireFresh(actor.sessionId);
    else await this.requirePassword(actor, user, password, 'current_password');
    return user;
  }

  private async requireFresh(sessionId: string | undefined): Promise<void> {
    const session = sessionId === undefined ? null : await this.sessions.findKnown(sessionId);
    const since = this.clock.now().getTime() - FRESH_FOR_MS;
    if (session === null || session.createdAt.getTime() < since) throw new ReauthenticationRequired();
  }

  /** Throws `WrongPassword`, which names the request's field, or `SignInBusy`. */
  async requirePassword(actor: Actor, user: User, password: string, field: string): Promise<void> {
    // counted like a sign-in: a stolen token must not let anybody guess the password
    const isRight = await this.hasher.matches(password, user.hashedPassword);
    if (!(await this.locks.decide(actor, { name: user.username, user, isRight })))
      throw new WrongPassword({ fieldErrors: { [field]: ['Is not your password'] } });
  }
}
