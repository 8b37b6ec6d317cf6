import { Injectable } from '@nestjs/common';
import { BaseRepository } from '../../database/base.repository.js';
import { Database } from '../../database/database.js';
import { rowsIn, type Tx } from '../../database/transactions.js';
import { OpenidFlow } from './openid-flow.entity.js';

@Injectable()
export class OpenidFlowsRepository extends BaseRepository<OpenidFlow> {
  constructor(database: Database) {
    super(database, OpenidFlow);
  }

  /** The flow, if this is the first return of the browser that began it, in time. Of any number at once one gets it. */
  async takeReturned(
    tx: Tx,
    { provider, stateHash, browserHash }: Pick<OpenidFlow, 'provider' | 'stateHash' | 'browserHash'>,
    now: Date,
  ): Promise<OpenidFlow | null> {
    const [row] = await rowsIn(
      tx,
      `UPDATE openid_flows AS t SET returned_at = $4
       WHERE state_hash = $1 AND browser_hash = $2 AND provider = $3 AND returned_at IS NULL AND expires_at > $4
       RETURNING ${this.mapping.selection}`,
      [stateHash, browserHash, provider, now],
    );
    return row === undefined ? null : this.toEntity(row);
  }

  /** The flow, if this is the first use of its code, in its browser and in time. Of any number at once one gets it. */
  async takeRedeemed(tx: Tx, codeHash: Buffer, browserHash: Buffer, now: Date): Promise<OpenidFlow | null> {
    const [row] = await rowsIn(
      tx,
      `UPDATE openid_flows AS t SET redeemed_at = $3
       WHERE code_hash = $1 AND browser_hash = $2 AND redeemed_at IS NULL AND code_expires_at > $3
       RETURNING ${this.mapping.selection}`,
      [codeHash, browserHash, now],
    );
    return row === undefined ? null : this.toEntity(row);
  }

  /** The number of flows that were removed, at most `most`. */
  async removeBegunBefore(before: Date, most: number): Promise<number> {
    const rows = await this.database.read<{ id: string }>(
      `DELETE FROM openid_flows WHERE id IN (SELECT id FROM openid_flows WHERE created_at < $1 LIMIT $2) RETURNING id`,
      [before, most],
    );
    return rows.length;
  }
}
