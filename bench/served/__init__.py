"""The servers that the service is compared with, each as its library's users write it."""
