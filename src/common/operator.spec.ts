import { userInfo } from 'node:os';
import { operatorOf } from './operator.js';

describe('operatorOf', () => {
  it('names the command and whoever runs it on the machine', () => {
    expect(operatorOf('user:create')).toEqual({ kind: 'system', name: `user:create (${userInfo().username})` });
  });

  it('stays within the column of the record', () => {
    const actor = operatorOf('x'.repeat(100));

    expect(actor.kind === 'system' && actor.name).toHaveLength(60);
  });
});
