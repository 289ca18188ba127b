// This program is a plugin of notely: it keeps items in memory.
package main

import (
	"context"
	"iter"
	"strconv"
	"sync"

	notely "github.com/jackfield-go/jackfield/sdk-template"
)

var version = "0.1.0" // a release sets it: -ldflags "-X main.version=1.2.3"

type memory struct {
	mu    sync.Mutex
	items []notely.Item
}

func (m *memory) Add(ctx context.Context, text string, approve notely.Approve) (notely.Item, error) {
	if err := approve(ctx, text); err != nil {
		return notely.Item{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	item := notely.Item{ID: strconv.Itoa(len(m.items) + 1), Text: text}
	m.items = append(m.items, item)
	return item, nil
}

func (m *memory) List(context.Context) iter.Seq2[notely.Item, error] {
	m.mu.Lock()
	defer m.mu.Unlock()
	return notely.Items(m.items...)
}

func main() { notely.Serve("memory", version, &memory{}) }
