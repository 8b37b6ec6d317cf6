/** What names in a bucket begin with: `/a//b` and `a/b/` are both `a/b/`, and nothing is nothing. */
export function prefixOf(folders: string): string {
  return folders
    .split('/')
    .filter((part) => part !== '')
    .map((part) => `${part}/`)
    .join('');
}
