/** What somebody is to the practice. What a role may do stands in auth/permissions.ts and nowhere else. */
export enum Role {
  Attorney = 'attorney',
  Admin = 'admin',
}
