/* What the compiler's own list of browser interfaces does not have yet. */
declare class DecompressionStream {
  constructor(format: "gzip");
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<BufferSource>;
}
interface Window {
  DecompressionStream?: typeof DecompressionStream;
}
interface CanvasRenderingContext2D {
  roundRect?(x: number, y: number, w: number, h: number, radius: number): void;
}
declare module "*.css";
