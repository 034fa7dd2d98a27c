/* Names of frames: as people write them, short ones, and colours. */

/* What is of no class begins with a point: stubs of the JVM, and libraries without symbols, which are paths. */
export function dotted(name: string): string {
  return name[0] === "." ? name.slice(1) : name.replace(/\//g, ".");
}

/* Class and method of a Java frame, the function of a native one ("libc.so.6.clone3", "kernel.do_idle"): packages and
 * libraries say the least and cost the most room. */
export function shortName(name: string): string {
  if (name[0] === ".") return name.slice(1 + Math.max(0, name.lastIndexOf("/")));
  if (name.startsWith("kernel.")) return name.slice(7);
  const native = /^[^\/]*?\.so(?:\.\d+)*\.(.+)$/.exec(name);
  if (native) return native[1];
  return /[:\s]/.test(name) ? name : dotted(name).split(".").slice(-2).join(".");
}

/* Functions of the JDK, which most people did not write. */
export const JDK = /^(java|javax|jdk|sun|com\.sun)\./;

/* ---- colours ---- */
function hash(s: string): number {
  let h = 2166136261;
  for (let i = 0; i < s.length; i++) h = Math.imul(h ^ s.charCodeAt(i), 16777619);
  return (h ^ (h >>> 13)) >>> 0;
}

function hsl(hue: number, saturation: number, light: number): string {
  return `hsl(${hue} ${saturation}% ${light}%)`;
}

/* Where frames say of what type they are (--frame-types): compiled, inlined, interpreted, C1, kernel. */
export const FRAME_HUES: Record<string, [number, number, number]> = {
  "_[j]": [92, 40, 62],
  "_[i]": [164, 34, 62],
  "_[0]": [40, 62, 66],
  "_[1]": [66, 56, 60],
  "_[k]": [268, 34, 72],
};

/* Warm for Java (one hue per package), olive for the JDK, steel for native code and the VM, violet for the kernel, grey
 * for what is no function. */
export function colorOf(name: string): string {
  if (name === "total" || name === "(other)" || name[0] === "[") return hsl(30, 12, 74);
  const plain = dotted(name),
    method = plain.lastIndexOf("."),
    type = plain.lastIndexOf(".", method - 1),
    h = hash(method > 0 ? plain.slice(0, type > 0 ? type : method) : plain),
    frame = FRAME_HUES[plain.slice(-4)];
  if (frame) return hsl(frame[0] + (h % 14), frame[1], frame[2] + (h % 7));
  if (/^kernel\./.test(plain)) return hsl(268 + (h % 18), 34, 72 + (h % 6));
  if (plain.includes("::")) return hsl(196 + (h % 14), 34, 66 + (h % 7));
  if (method <= 0 || name[0] === "." || /\.so\b|\.dylib\b/.test(plain)) return hsl(212 + (h % 16), 30, 70 + (h % 6));
  if (JDK.test(plain)) return hsl(62 + (h % 26), 42, 62 + (h % 8));
  return hsl(12 + (h % 36), 76 + (h % 14), 60 + ((h >>> 8) % 9));
}

/* Orange: a larger share than before, blue: a smaller one; told apart by all kinds of colour blindness. */
export function changeColor(now: number, before: number): string {
  const most = Math.max(now, before);
  if (most === 0) return hsl(30, 12, 74);
  const change = (now - before) / most,
    strength = Math.round(Math.min(1, Math.abs(change) * 1.4) * 72);
  if (Math.abs(change) < 0.02) return hsl(40, 10, 80);
  return change > 0 ? hsl(26, strength + 18, 84 - strength * 0.32) : hsl(214, strength + 8, 84 - strength * 0.32);
}

/* A colour of above as the number that a pixel of ImageData has (R, G, B, A in memory). */
export function pixelOf(color: string): number {
  const [hue, saturation, light] = (color.match(/[\d.]+/g) || []).map(Number),
    a = (saturation / 100) * Math.min(light / 100, 1 - light / 100),
    channel = (n: number) => {
      const k = (n + hue / 30) % 12;
      return Math.round(255 * (light / 100 - a * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
    };
  return ((255 << 24) | (channel(4) << 16) | (channel(8) << 8) | channel(0)) >>> 0;
}
