package runner_test

import (
	"fmt"
	"os"
)

// sayHello and tellMyself are roles of programs that are sealed.
func sayHello([]string) int {
	fmt.Println("hello")
	return 0
}

func tellMyself(args []string) int {
	executable, err := os.Executable()
	fmt.Printf("%s\n%s %v\n%q\n", os.Args[0], executable, err, args)
	return 0
}
