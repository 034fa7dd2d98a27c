/* What colours of frames mean, and how frames of each kind are searched for. */
import { FRAME_HUES, changeColor, colorOf } from "./names";

export interface Kind {
  text: string;
  color: string;
  /* "" = there is no search for them. */
  search: string;
}

/* `example`: the name of a frame of this kind. */
function kind(text: string, example: string, search: string): Kind {
  return { text, color: colorOf(example), search };
}

/* Of frames with these names. */
export function kindsOf(names: string[]): Kind[] {
  const native = kind("native", "libc.so.6.read", "/^\\.|\\.so\\b[^:]*$/"),
    jvm = kind("JVM", "libjvm.so.JavaThread::run", "/::/");
  if (names.some(n => FRAME_HUES[n.slice(-4)]))
    return [
      kind("compiled", "a.b_[j]", "/_\\[j\\]$/"),
      kind("inlined", "a.b_[i]", "/_\\[i\\]$/"),
      kind("interpreted", "a.b_[0]", "/_\\[0\\]$/"),
      kind("C1", "a.b_[1]", "/_\\[1\\]$/"),
      native,
      jvm,
      kind("kernel", "a.b_[k]", "/_\\[k\\]$/"),
    ];
  return [
    kind("application", "org/example/App.run", ""),
    kind("JDK", "java/lang/Thread.run", "/^(java|javax|jdk|sun|com\\.sun)\\./"),
    native,
    jvm,
    kind("kernel", "kernel.do_syscall_64", "/^kernel\\./"),
  ];
}

/* Of comparisons. */
export const CHANGES: Kind[] = [
  { text: "larger share than before", color: changeColor(1, 0.4), search: "" },
  { text: "as before", color: changeColor(1, 1), search: "" },
  { text: "smaller share", color: changeColor(0.4, 1), search: "" },
];
