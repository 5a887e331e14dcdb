// The MD5 of a file, computed beside the page while the file is sent: {file} in, {done} and at last {md5} out.
importScripts("vendor/spark-md5.min.js");
const PIECE = 4 << 20;

onmessage = async ({ data: { file } }) => {
  try {
    const digest = new SparkMD5.ArrayBuffer();
    for (let start = 0; start < file.size; start += PIECE) {
      digest.append(await file.slice(start, start + PIECE).arrayBuffer());
      postMessage({ done: Math.min(start + PIECE, file.size) });
    }
    postMessage({ md5: digest.end() });
  } catch (error) {
    postMessage({ error: String(error) });
  }
};
