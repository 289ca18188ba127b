//go:build !unix

package host_test

func dieBySignal() int { return 1 }

func raiseSegmentationFault() {}
