/**
 * Loads @evan/opus once per process. Jest evaluates a package anew for each test file, but a native library's exports
 * are one object per process, and this package wraps its classes around those exports on every evaluation: from the
 * second file on, packets would come out empty. Core modules are shared between test files, so one of them carries it.
 */
const shared = require('node:os');
const key = Symbol.for('trunkline.test.opus');
shared[key] ??= require('@evan/opus/lib.js');
module.exports = shared[key];
