// Package guide has the code that the guides in docs/ quote. Its tests are the
// code: what a guide shows compiles, and most of it runs.
package guide
