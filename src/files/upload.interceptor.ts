import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  mixin,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import { Transform } from 'class-transformer';
import type { Request, Response } from 'express';
import multer, { MulterError, type StorageEngine } from 'multer';
import { finalize, type Observable } from 'rxjs';
import { AppError, InvalidFields, MalformedRequest } from '../common/errors.js';
import { checkedField, type FieldOptions } from '../common/fields.js';
import { CONFIG, type Config } from '../config/config.js';
import { FileRoom } from './care/file-room.js';
import { FileKeys } from './file-keys.js';
import { FileTooLarge, FileUploadFailed } from './files.errors.js';
import { Spool } from './spool.js';
import { EMPTY, type FilePart, receiveFile, type ReceivedFile, TRUNCATED, type UploadProfile } from './upload.js';

/** What a multipart request may hold beside its file: enough for any form, too little to be a weapon. */
const LIMITS = {
  files: 1,
  fields: 20,
  parts: 25,
  fieldSize: 64 * 1024,
  fieldNameSize: 100,
  headerPairs: 50,
  fieldNestingDepth: 0,
};
/** How long the rest of a refused request is read and thrown away, so that its sender gets to see the answer. */
const LINGER_MS = 500;
/** What boundaries, headers and fields may add to the file. */
const FORM_OVERHEAD_BYTES = 64 * 1024;

/**
 * Reads a multipart body with one file. The {@link ReceivedFile} stands in the body under its field's name, so that a
 * missing or empty file is reported together with all other fields; whatever the outcome, an upload that the handler did
 * not keep is gone when the request is over. Refuses in this order: 413 size, 415 type, then the fields.
 */
export function UploadInterceptor(profile: UploadProfile): Type<NestInterceptor> {
  @Injectable()
  class Interceptor implements NestInterceptor {
    constructor(
      @Inject(CONFIG) private readonly config: Config,
      private readonly spool: Spool,
      private readonly keys: FileKeys,
      private readonly room: FileRoom,
    ) {}

    async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
      const request = context.switchToHttp().getRequest<Request>();
      const { maxFileBytes } = this.config.files;
      const received: ReceivedFile[] = [];
      if (Number(request.headers['content-length'] ?? 0) > maxFileBytes + FORM_OVERHEAD_BYTES)
        throw tooLarge(profile, maxFileBytes);
      let release: (() => void) | undefined;
      try {
        release = await this.room.admit();
        await this.read(request, context.switchToHttp().getResponse<Response>(), received);
      } catch (error) {
        const response = context.switchToHttp().getResponse<Response>();
        // Once it is answered, Node tells nobody any more that the rest of a request will never come. Cut off at once, the
        // connection would be reset and take the answer with it.
        response.once('finish', () => {
          if (request.complete) return;
          request.resume();
          setTimeout(() => request.destroy(), LINGER_MS).unref();
        });
        release?.();
        await discardAll(received);
        throw toRefusal(error, profile, maxFileBytes);
      }
      return next.handle().pipe(
        finalize(() => {
          release();
          void discardAll(received);
        }),
      );
    }

    private async read(request: Request, response: Response, received: ReceivedFile[]): Promise<void> {
      let file: ReceivedFile | typeof EMPTY | undefined;
      let isOver = false;
      const { spool, keys } = this;
      const engine: StorageEngine = {
        _handleFile(_request, part, done) {
          // busboy forgets the stream of a file that is too large: without this it would wait for a sender who is gone
          request.once('close', () => {
            if (!request.complete) part.stream.destroy(new Error('the request was cut off'));
          });
          receiveFile(part as FilePart, profile, spool, keys).then(
            (outcome) => {
              if (outcome === TRUNCATED) {
                done(new MulterError('LIMIT_FILE_SIZE', profile.field));
                return;
              }
              // a request can end, in a refusal or a broken connection, while its file is still being looked at
              if (isOver && outcome !== EMPTY) void discardAll([outcome]);
              else if (outcome !== EMPTY) received.push(outcome);
              file = outcome;
              done(null);
            },
            (error: unknown) => {
              part.stream.resume();
              done(error);
            },
          );
        },
        _removeFile(_request, _file, done) {
          void discardAll(received).then(() => {
            done(null);
          });
        },
      };
      let tooLong: (error: Error) => void = () => undefined;
      let bodyBytes = 0;
      // multer reads a refused body to its end, which a body without a length need not have
      const streamHandler = (body: Request, parser: NodeJS.WritableStream): void => {
        body.on('data', (chunk: Buffer) => {
          bodyBytes += chunk.length;
          if (bodyBytes > maxFileBytes + FORM_OVERHEAD_BYTES)
            tooLong(tooLarge(profile, maxFileBytes, { Connection: 'close' }));
        });
        body.pipe(parser);
      };
      const { maxFileBytes } = this.config.files;
      // @types/multer 2.3.0 does not know streamHandler yet
      const options: multer.Options & { streamHandler: typeof streamHandler } = {
        storage: engine,
        limits: { ...LIMITS, fileSize: maxFileBytes },
        defParamCharset: 'utf8',
        streamHandler,
      };
      const middleware = multer(options).single(profile.field);
      try {
        await new Promise<void>((resolve, reject) => {
          tooLong = reject;
          middleware(request, response, (error?: unknown) => {
            if (error instanceof Error) reject(error);
            else resolve();
          });
        });
      } finally {
        isOver = true;
      }
      // multer's body has no prototype; a field of the form cannot stand in for the file
      request.body = { ...(request.body as object), [profile.field]: new Slot(file) };
    }
  }
  return mixin(Interceptor);
}

/** Holds an upload in the body out of sight of class-transformer, which copies whatever it sees, open files included. */
class Slot {
  readonly #file: ReceivedFile | typeof EMPTY | undefined;

  constructor(file?: ReceivedFile | typeof EMPTY) {
    this.#file = file;
  }

  get file(): ReceivedFile | typeof EMPTY | undefined {
    return this.#file;
  }
}

/** The field of the request class that the uploaded file stands in. */
export function UploadField(profile: UploadProfile, options: FieldOptions = {}): PropertyDecorator {
  const check = (value: unknown): string | undefined => {
    if (value === undefined) return 'This field is required';
    return value === EMPTY ? 'The file is empty' : undefined;
  };
  return applyDecorators(
    Transform(({ obj }: { obj: Record<string, unknown> }) => {
      const slot = obj[profile.field];
      return slot instanceof Slot ? slot.file : undefined;
    }),
    checkedField('upload', check, options, { type: 'string', format: 'binary' }),
  );
}

/** Never rejects: what cannot be removed now is removed by the storage as an abandoned upload. */
async function discardAll(received: readonly ReceivedFile[]): Promise<void> {
  await Promise.allSettled(received.map(({ incoming }) => incoming.discard()));
}

function tooLarge(profile: UploadProfile, maxFileBytes: number, headers: Record<string, string> = {}): FileTooLarge {
  const limit = maxFileBytes % 1_048_576 === 0 ? `${maxFileBytes / 1_048_576}MB` : `${maxFileBytes} bytes`;
  return new FileTooLarge({ headers, fieldErrors: { [profile.field]: [`File size exceeds ${limit}`] } });
}

function toRefusal(error: unknown, profile: UploadProfile, maxFileBytes: number): unknown {
  if (error instanceof AppError) return error;
  if (!(error instanceof MulterError)) return new FileUploadFailed({ cause: error });
  switch (error.code) {
    case 'LIMIT_FILE_SIZE':
      return tooLarge(profile, maxFileBytes);
    case 'LIMIT_UNEXPECTED_FILE':
    case 'LIMIT_FILE_COUNT':
      return new FileUploadFailed({
        fieldErrors: { [error.field ?? profile.field]: [`Send exactly one file, in the field ${profile.field}`] },
      });
    case 'LIMIT_FIELD_VALUE':
      return new InvalidFields({ fieldErrors: { [error.field ?? '']: ['This field is too long'] } });
    default:
      return new MalformedRequest({ detail: 'The form has too many or too unusual fields' });
  }
}
