/** What is worth knowing about an accepted file before it is opened. The values stand in the database and in the API. */
export enum Finding {
  /** Its text can be read only with a password. */
  Encrypted = 'encrypted',
  /** It ends before it should. */
  Truncated = 'truncated',
  /** Its inner tables do not hold together; a program may repair it, or not open it. */
  Damaged = 'damaged',
  /** It contains a script that a viewer may run. */
  Scripts = 'scripts',
  /** It can ask a viewer to start another program. */
  LaunchActions = 'launch_actions',
  /** Other files travel inside. */
  EmbeddedFiles = 'embedded_files',
  /** It contains video, sound or 3D content that brings its own program along. */
  RichMedia = 'rich_media',
  /** It contains macros. */
  Macros = 'macros',
  /** Opening it loads a template, an object or a page from elsewhere. */
  ExternalContent = 'external_content',
  /** Some of it is packed in a way, or to a size, that was not looked into. */
  UncheckedParts = 'unchecked_parts',
}
