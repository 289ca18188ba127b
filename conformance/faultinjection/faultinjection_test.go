//go:build unix

package faultinjection

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core/plugintest"
)

// longVariable asks for the long form.
const longVariable = "JACKFIELD_SOAK"

// shortPause is the time for which stopped processes do nothing.
const shortPause = 200 * time.Millisecond

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
