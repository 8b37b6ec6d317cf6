/** What the names of these folders begin with in a bucket: `/a//b` and `a/b/` are both `a/b/`, and nothing is nothing. */
export function prefixOf(folders: string): string {
  const parts = folders.split('/').filter((part) => part !== '');
  return parts.map((part) => `${part}/`).join('');
}

/** The parts of `s3://bucket/key`; undefined when the text does not look like that. */
export function s3AddressOf(text: string): { readonly bucket: string; readonly key: string } | undefined {
  const [, bucket, key = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/i.exec(text) ?? [];
  return bucket === undefined ? undefined : { bucket, key };
}
