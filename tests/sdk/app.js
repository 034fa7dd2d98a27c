// A program with Pyroscope's SDK for Node.js: computes, and prints how many seconds of CPU time it took.
const pyroscope = require("@pyroscope/nodejs");

function bake() {
  let n = 0;
  for (let i = 0; i < 1e6; i++) n += i % 7;
  return n;
}

pyroscope.init({
  appName: "by-node",
  serverAddress: "http://127.0.0.1:4040",
  tags: { region: "eu" },
  flushIntervalMs: 1000,
  wall: { samplingDurationMs: 1000, collectCpuTime: true },
});
pyroscope.start();
const end = Date.now() + 3500;
(function step() {
  bake();
  if (Date.now() < end) return setImmediate(step);
  pyroscope.stop().then(() => {
    const used = process.cpuUsage();
    console.log((used.user + used.system) / 1e6);
    process.exit(0);
  });
})();
