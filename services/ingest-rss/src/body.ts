/**
 * Reading a response body within its limits. Bytes are counted before and after decompression, so neither an endless
 * stream nor a compressed bomb is kept for longer than the limit.
 */
import { type Duplex, type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as zlib from "node:zlib";
import { FetchFailedError } from "./fetch-failure.ts";

const MAX_CODINGS = 3;

/** A server that closes early has still sent what came before: decode it, as browsers do. */
const GZIP_OPTIONS = { finishFlush: zlib.constants.Z_SYNC_FLUSH };
const BROTLI_OPTIONS = { finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH };

/**
 * All of `body`, decoded from the codings in `contentEncoding` (RFC 9110 §8.4.1). Rejects with FetchFailedError `tooLarge` when
 * more than `maxBytes` come, encoded or decoded, and `malformed` for a coding that is unknown or wrong.
 */
export async function readBody(body: Readable, contentEncoding: string, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const collect = async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) chunks.push(chunk);
  };
  const stages: Duplex[] = [counted(maxBytes), ...decodersFor(contentEncoding), counted(maxBytes)];
  try {
    await pipeline([body, ...stages, collect]);
  } catch (error) {
    throw isZlibError(error) ? wrongCoding(contentEncoding, error) : error;
  }
  return Buffer.concat(chunks);
}

function counted(maxBytes: number): Duplex {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes <= maxBytes) done(null, chunk);
      else done(tooLarge(maxBytes));
    },
  });
}

function tooLarge(maxBytes: number): FetchFailedError {
  const size = `${Math.round(maxBytes / 1024 / 1024)} MB`;
  return new FetchFailedError(
    "tooLarge",
    `This document is larger than ${size}, which is more than a feed needs to be.`,
  );
}

/** The decoders in the order of their use: the coding named last was applied last. */
function decodersFor(contentEncoding: string): Duplex[] {
  const codings = contentEncoding
    .toLowerCase()
    .split(",")
    .map((coding) => coding.trim())
    .filter((coding) => coding !== "" && coding !== "identity");
  if (codings.length > MAX_CODINGS) throw wrongCoding(contentEncoding);
  return codings.reverse().map((coding) => decoderFor(coding) ?? raise(wrongCoding(contentEncoding)));
}

function decoderFor(coding: string): Duplex | null {
  switch (coding) {
    case "gzip":
    case "x-gzip":
      return zlib.createGunzip(GZIP_OPTIONS);
    case "deflate":
      return zlib.createUnzip(GZIP_OPTIONS);
    case "br":
      return zlib.createBrotliDecompress(BROTLI_OPTIONS);
    case "zstd":
      return zlib.createZstdDecompress();
    default:
      return null;
  }
}

function isZlibError(error: unknown): boolean {
  return /^(Z_|ERR_BROTLI|ERR__ERROR|ERR_ZSTD|ZSTD_|ERR_PADDING|ERR__)/.test(
    String((error as { code?: unknown }).code ?? ""),
  );
}

function wrongCoding(contentEncoding: string, cause?: unknown): FetchFailedError {
  const sentence = `The server compressed this document in a way that cannot be read (${contentEncoding.slice(0, 40)}).`;
  return new FetchFailedError("malformed", sentence, { cause });
}

function raise(error: Error): never {
  throw error;
}
