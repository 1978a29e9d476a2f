"use strict";

console.log("module loaded");

const acts = {
  answer: (event, context, message) => ({ statusCode: 200, body: message.text }),
  look: (event, context) => ({
    statusCode: 200,
    body: JSON.stringify({
      request: [context.awsRequestId, event.requestContext.requestId],
      arn: context.invokedFunctionArn,
      left: context.getRemainingTimeInMillis(),
      name: context.functionName,
      folder: process.cwd(),
      env: process.env,
    }),
  }),
  throw: () => {
    throw new TypeError("not today");
  },
  hang: () => new Promise((resolve) => setTimeout(resolve, 1e6)),
  leave: () => process.exit(3),
  garbage: () => 1n,
  big: () => ({ statusCode: 200, body: "x".repeat(10_000_000) }),
};

exports.act = async (event, context) => {
  const message = JSON.parse(event.body);
  return acts[message.do](event, context, message);
};
