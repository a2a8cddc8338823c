// Worker of one emotion model of npm on faces that are cut out: node tfjs_worker.cjs MODEL JOB.json ANSWER.json
//
// MODEL is `face-api` or `human`. The job is that of job.py. Both models run on TensorFlow.js' WebAssembly backend on one
// thread: its native backend fetches a library from elsewhere while it is installed, and is quicker.
'use strict';
const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');

const [, , modelName, jobFile, answerFile] = process.argv;
const installed = createRequire(path.join(process.cwd(), 'node_modules', 'x.js'));
const tf = installed('@tensorflow/tfjs');
const wasm = installed('@tensorflow/tfjs-backend-wasm');
const folderOf = (name) => path.join(process.cwd(), 'node_modules', ...name.split('/'));
const softwareLabels = ['angry', 'disgust', 'fear', 'happy', 'sad', 'surprise', 'neutral'];

async function openFaceApi() {
  const folder = path.join(folderOf('@vladmandic/face-api'), 'model');
  const faceapi = installed('@vladmandic/face-api/dist/face-api.node-wasm.js');
  await faceapi.nets.faceExpressionNet.loadFromDisk(folder);
  const labels = ['neutral', 'happy', 'sad', 'angry', 'fear', 'disgust', 'surprise'];
  const classify = async (grey, height, width) => {
    const picture = faceapi.tf.tidy(() => {
      const plane = faceapi.tf.tensor(grey, [height, width, 1], 'int32');
      return faceapi.tf.concat([plane, plane, plane], 2);
    });
    const found = await faceapi.nets.faceExpressionNet.predictExpressions(picture);
    picture.dispose();
    return [found.neutral, found.happy, found.sad, found.angry, found.fearful, found.disgusted, found.surprised];
  };
  return { labels, classify, weights: path.join(folder, 'face_expression_model.bin') };
}

async function openHuman() {
  const folder = path.join(folderOf('@vladmandic/human'), 'models');
  const { modelTopology, weightsManifest } = JSON.parse(fs.readFileSync(path.join(folder, 'emotion.json'), 'utf8'));
  const weights = path.join(folder, weightsManifest[0].paths[0]);
  const bytes = fs.readFileSync(weights);
  const model = await tf.loadGraphModel({
    load: async () => ({
      modelTopology,
      weightSpecs: weightsManifest[0].weights,
      weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
    }),
  });
  const size = model.inputs[0].shape[1];
  const classify = async (grey, height, width) => tf.tidy(() => {
    const picture = tf.tensor(grey, [1, height, width, 1], 'float32');
    const scaled = tf.image.resizeBilinear(picture, [size, size]).div(127.5).sub(1);
    return Array.from(model.execute(scaled).dataSync());
  });
  return { labels: softwareLabels, classify, weights };
}

async function main() {
  wasm.setWasmPaths(path.join(folderOf('@tensorflow/tfjs-backend-wasm'), 'dist') + path.sep);
  wasm.setThreadsCount(1);
  await tf.setBackend('wasm');
  await tf.ready();
  const job = JSON.parse(fs.readFileSync(jobFile, 'utf8'));
  const { labels, classify, weights } = await { 'face-api': openFaceApi, human: openHuman }[modelName]();
  const faces = job.sets.map(({ file, count, height, width }) => {
    const bytes = fs.readFileSync(file);
    const one = (index) => bytes.subarray(index * height * width, (index + 1) * height * width);
    return { count, height, width, one };
  });
  const [first] = faces;
  const classifyFirst = (index) => classify(first.one(index % first.count), first.height, first.width);
  await classifyFirst(0);
  process.stdout.write('ready\n');
  for (let index = 0; index < job.warm_up; index++) await classifyFirst(index);
  const before = process.cpuUsage();
  for (let index = 0; index < job.timed; index++) await classifyFirst(index);
  const used = process.cpuUsage(before);
  const probs = [];
  for (const set of job.classify ? faces : []) {
    const found = [];
    for (let index = 0; index < set.count; index++) found.push(await classify(set.one(index), set.height, set.width));
    probs.push(found);
  }
  fs.writeFileSync(answerFile, JSON.stringify({
    labels,
    probs,
    cpu_ms: (used.user + used.system) / 1e3 / job.timed,
    weights_bytes: fs.statSync(weights).size,
  }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
