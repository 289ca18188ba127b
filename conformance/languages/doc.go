// Package languages runs the example plugins in Python and JavaScript under hosts on both
// libraries, as processes. So it tests plugins that use no Go library. Other tests can use
// its knowledge of these plugins.
package languages
