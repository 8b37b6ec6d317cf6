import { Module } from '@nestjs/common';
import { KeyFolder } from './key-folder.js';

/** The folder of signing keys. By itself, so that commands can make a key before there is one to sign with. */
@Module({ providers: [KeyFolder], exports: [KeyFolder] })
export class KeysModule {}
