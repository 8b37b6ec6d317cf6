import { Inject, Injectable } from '@nestjs/common';
import { AlertsService } from '../alerts/alerts.service.js';
import { AuditService } from '../audit/audit.service.js';
import type { Actor } from '../common/actor.js';
import { CONFIG, type Config } from '../config/config.js';
import type { Tx } from '../database/transactions.js';
import { type User, UsersService } from '../users/users.service.js';
import { NO_PASSWORD } from './passwords/password-hasher.js';
import { may, Permission } from './permissions.js';

/** Who gets in otherwise than by a provider, where some roles must come from one. */
@Injectable()
export class SingleSignOn {
  constructor(
    private readonly users: UsersService,
    private readonly audit: AuditService,
    private readonly alerts: AlertsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Whether somebody may come in by a password, a passkey or a link. */
  admitsPastProvider(user: User): boolean {
    return !this.isRequiredOf(user) || this.isBreakGlass(user);
  }

  /** Puts it on record and alerts operators when somebody came in past the provider. */
  async noteIfBreakGlass(tx: Tx, actor: Actor, user: User): Promise<void> {
    if (!this.isRequiredOf(user) || !this.isBreakGlass(user)) return;
    await this.audit.record(tx, actor, { action: 'auth.break_glass_used', targetKind: 'user', targetId: user.id });
    await this.alerts.raise(tx, {
      cause: 'auth.break_glass_used',
      summary: 'The break-glass account signed in past the single sign-on',
      details: { user_id: user.id },
    });
  }

  /** Throws when nobody could undo these settings if every provider were away: no start rather than no way in. */
  async requireWayIn(): Promise<void> {
    const { breakGlassUsername, requiredFor } = this.config.singleSignOn;
    if (breakGlassUsername === undefined || requiredFor.length === 0) return;
    const user = await this.users.findForSignIn(breakGlassUsername);
    if (user?.isActive !== true || user.hashedPassword === NO_PASSWORD || !this.isBreakGlass(user))
      throw new Error('BREAK_GLASS_USERNAME must name an active superadmin with a password');
  }

  private isRequiredOf({ role }: User): boolean {
    return this.config.singleSignOn.requiredFor.some((each) => each === role.valueOf());
  }

  private isBreakGlass({ username, role }: User): boolean {
    const { breakGlassUsername } = this.config.singleSignOn;
    return username.toLowerCase() === breakGlassUsername?.toLowerCase() && may(role, Permission.AdminsChange, false);
  }
}
