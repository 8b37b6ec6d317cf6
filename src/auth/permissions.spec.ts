import { Role } from '../users/role.js';
import { may, Permission, PUBLIC } from './permissions.js';

/** Who may what: the public, an attorney, an admin. */
const TABLE: [Permission, boolean, boolean, boolean][] = [
  [Permission.LeadsRead, false, true, true],
  [Permission.LeadsChange, false, true, true],
  [Permission.UsersRegister, false, false, true],
  [Permission.UsersRead, false, false, true],
  [Permission.UsersChange, false, false, true],
  [Permission.SessionsRead, false, false, true],
  [Permission.SessionsEnd, false, false, true],
  [Permission.FilesInspect, false, false, true],
  [Permission.FilesQuarantined, false, false, true],
  [Permission.JobsOperate, false, false, true],
  [Permission.MailRead, false, false, true],
  [Permission.MailOperate, false, false, true],
  [Permission.Self, false, true, true],
];

describe('may', () => {
  it.each(TABLE)('%s: the public %s, an attorney %s, an admin %s', (permission, stranger, attorney, admin) => {
    expect(may(PUBLIC, permission, false)).toBe(stranger);
    expect(may(Role.Attorney, permission, false)).toBe(attorney);
    expect(may(Role.Admin, permission, false)).toBe(admin);
  });

  it.each(TABLE)(
    'with open registration changes nothing about %s, unless it is registering',
    (permission, ...expected) => {
      const opened = [
        may(PUBLIC, permission, true),
        may(Role.Attorney, permission, true),
        may(Role.Admin, permission, true),
      ];

      expect(opened).toEqual(permission === Permission.UsersRegister ? [true, true, true] : expected);
    },
  );

  it('is asked about every permission and every role in the table above', () => {
    expect(TABLE.map(([permission]) => permission)).toEqual(Object.values(Permission));
    expect(Object.values(Role)).toEqual(['attorney', 'admin']);
  });
});
