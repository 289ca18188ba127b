// Package guide has the code quoted by the guides in docs/. Its tests are this
// code: every quoted piece compiles, and most of it runs.
package guide
