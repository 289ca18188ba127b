//go:build unix

package faultinjection

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core/plugintest"
)

// longVariable asks for the long form.
const longVariable = "JACKFIELD_SOAK"

// These are the times for which stopped processes do nothing. The long one is beyond the keep-alive
// of go-plugin's yamux: 30 s, and 10 s for the answer.
const (
	shortPause = 200 * time.Millisecond
	longPause  = 45 * time.Second
)

func isLong() bool { return os.Getenv(longVariable) != "" }

// name returns the name of the experiment's test.
func (x *experiment) name() string {
	return strings.NewReplacer(", ", ",", " ", "-").Replace(fmt.Sprintf("%s/%s/%s", x.at, x.fault.name, x.combination))
}

// TestFaults injects every fault at every stage: into every kind of plugin in the long form, and
// into one of them in turns otherwise.
func TestFaults(t *testing.T) {
	turn := 0
	for _, at := range stages() {
		for _, fault := range faults() {
			all := combinations()
			if !isLong() {
				all = all[turn%len(all):][:1]
				turn += 5 // without a common factor with the number of combinations or of faults
			}
			for _, c := range all {
				x := &experiment{combination: c, at: at, fault: fault, pause: shortPause}
				t.Run(x.name(), func(t *testing.T) {
					plugintest.NoLeaks(t)
					x.run(t)
				})
			}
		}
	}
}

// TestLongStops stops processes of every kind at every stage for a long time, several at once.
func TestLongStops(t *testing.T) {
	if !isLong() {
		t.Skip("only in the long form: each takes 45 s")
	}
	plugintest.NoLeaks(t)
	const atOnce = 14
	var running sync.WaitGroup
	free := make(chan struct{}, atOnce)
	stopped := fault{name: "SIGSTOP, then SIGCONT", inject: pause, effect: longStop}
	for _, at := range stages() {
		for _, c := range combinations() {
			x := &experiment{combination: c, at: at, fault: stopped, pause: longPause}
			free <- struct{}{}
			running.Go(func() {
				defer func() { <-free }()
				t.Run(x.name(), x.run)
			})
		}
	}
	running.Wait()
}
