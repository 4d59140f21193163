/**
 * Jest's node environment with the process's own typed arrays: native add-ons (onnxruntime-node) hand out arrays of the
 * main realm, and inside Jest's sandbox those would be no `Float32Array`.
 */
const { TestEnvironment } = require('jest-environment-node');

const shared = [
  Float32Array,
  Float64Array,
  Int8Array,
  Int16Array,
  Int32Array,
  Uint8Array,
  Uint8ClampedArray,
  Uint16Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
];

module.exports = class extends TestEnvironment {
  async setup() {
    await super.setup();
    for (const arrayType of shared) this.global[arrayType.name] = arrayType;
  }
};
