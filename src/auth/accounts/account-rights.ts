import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor.js';
import type { Tx } from '../../database/transactions.js';
import type { Role } from '../../users/role.js';
import { UsersService } from '../../users/users.service.js';
import { Forbidden } from '../auth.errors.js';
import { may, permissionToManage } from '../permissions.js';

/** Who may make, change or end which accounts. */
@Injectable()
export class AccountRights {
  constructor(private readonly users: UsersService) {}

  /**
   * Begins a change of rights: no other one happens until the transaction ends. Throws `Forbidden` unless the actor, as of
   * now, may manage accounts of all these roles; what stood in the guard's memory does not count.
   */
  async require(tx: Tx, actor: Actor, roles: readonly Role[]): Promise<void> {
    await this.users.beginChangeOfRights(tx);
    if (actor.kind === 'system') return;
    if (actor.kind !== 'user' || !(await this.mayManage(tx, actor.id, roles))) throw new Forbidden();
  }

  /** Whether somebody is still there and may manage accounts of all these roles. Locks their account. */
  async mayManage(tx: Tx, userId: string, roles: readonly Role[]): Promise<boolean> {
    const user = await this.users.findLocked(tx, userId);
    return user?.isActive === true && roles.every((role) => may(user.role, permissionToManage(role), false));
  }
}
