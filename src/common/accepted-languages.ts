import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { canonicalLanguageTag } from '../config/language-tag.js';

/** Whoever sends more languages than a person reads is heard out no further. */
const MOST_LANGUAGES = 20;

/** Tags of the languages in Accept-Language, best first; `*` and what is no tag are left out. */
export const AcceptedLanguages = createParamDecorator((_: unknown, context: ExecutionContext): string[] =>
  context
    .switchToHttp()
    .getRequest<Request>()
    .acceptsLanguages()
    .slice(0, MOST_LANGUAGES)
    .map(canonicalLanguageTag)
    .filter((tag) => tag !== undefined),
);
