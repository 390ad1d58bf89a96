import { isUtf8 } from 'node:buffer';
import { ByteQueue } from '../byte-queue.ts';

/** The body of a request while it comes in. Most come in one piece, which is then not copied. */
export class Body {
  bytes = 0;
  private firstPiece: Buffer | undefined;
  private pieces: ByteQueue | undefined;

  append(piece: Buffer): void {
    this.bytes += piece.length;
    if (this.pieces !== undefined) {
      this.pieces.append(piece);
    } else if (this.firstPiece === undefined) {
      this.firstPiece = piece;
    } else {
      this.pieces = new ByteQueue();
      this.pieces.append(this.firstPiece);
      this.pieces.append(piece);
    }
  }

  /** What has come, as text; undefined if it is not UTF-8. */
  take(): string | undefined {
    const bytes = this.pieces?.take() ?? this.firstPiece;
    this.firstPiece = undefined;
    this.pieces = undefined;
    if (bytes === undefined) return '';
    return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
  }
}
