package exchange

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrListening is returned by Listen for a number that has a listener: the
	// other side could not tell two apart.
	ErrListening = errors.New("this number has a listener already")

	// ErrReplaced is returned by Run when a later Run has taken over.
	ErrReplaced = errors.New("another control stream has taken over")

	// ErrUnread is returned by Run when the other side asks and asks and does
	// not read the answers.
	ErrUnread = errors.New("the other side does not read the answers to its knocks")
)

// InfoError is returned by Dial when the other side offered the number with an
// address that cannot be one.
type InfoError struct {
	ID     uint32 // the number
	Reason string // what is wrong with the offer
}

// Error names the number and the reason.
func (e *InfoError) Error() string {
	return fmt.Sprintf("the other side's offer for number %d is of no use: %s", e.ID, e.Reason)
}

// KnockError is returned by Dial when the other side refused the number.
type KnockError struct {
	ID   uint32 // the number
	Text string // the other side's words, at most 1 KiB of them
}

// Error names the number and quotes the other side.
func (e *KnockError) Error() string {
	return fmt.Sprintf("the other side refused number %d: %s", e.ID, e.Text)
}

// noListener is with what words this package refuses a knock that found no
// listener, and what makes its dialer knock again.
const noListener = "jackfield: nobody listens for this number yet"

// maxQuote bounds what errors and records quote of the other side's.
const maxQuote = 1 << 10

func quote(s string) string {
	if len(s) > maxQuote {
		s = s[:maxQuote]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
